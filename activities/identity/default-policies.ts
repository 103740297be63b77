/** What the default roles may do. Freezes and the rules of two people hold for every role. */
export const defaultPolicies = `// Starts releases and steers its way forward and back.
@id("releasers-release")
permit (
  principal in Holdfast::Role::"releaser",
  action in [
    Holdfast::Action::"start",
    Holdfast::Action::"pause",
    Holdfast::Action::"resume",
    Holdfast::Action::"promote",
    Holdfast::Action::"abort",
    Holdfast::Action::"retryStep"
  ],
  resource
);

// All of that, and what overrides a gate or decides about what could not be undone.
@id("operators-operate")
permit (
  principal in Holdfast::Role::"operator",
  action in [
    Holdfast::Action::"start",
    Holdfast::Action::"pause",
    Holdfast::Action::"resume",
    Holdfast::Action::"promote",
    Holdfast::Action::"promoteFull",
    Holdfast::Action::"setWeight",
    Holdfast::Action::"skip",
    Holdfast::Action::"abort",
    Holdfast::Action::"retryStep",
    Holdfast::Action::"retryCompensation",
    Holdfast::Action::"resolveLock"
  ],
  resource
);

@id("approvers-decide")
permit (
  principal in Holdfast::Role::"approver",
  action in [Holdfast::Action::"approve", Holdfast::Action::"reject"],
  resource
);

@id("admins-do-everything")
permit (principal in Holdfast::Role::"admin", action, resource);

// In an emergency, and reviewed by somebody else afterwards; they may end it early. Which roles, and for how long, access.yaml says.
@id("responders-break-glass")
permit (
  principal in Holdfast::Role::"responder",
  action in [Holdfast::Action::"manageAccess.start", Holdfast::Action::"manageAccess.abort"],
  resource
)
when { context.breakGlass };

@id("nobody-changes-their-own-access")
forbid (principal, action in Holdfast::Action::"changeAccess", resource)
when { context.users.contains(principal) || principal in context.groups }
unless {
  context.breakGlass &&
  action in [Holdfast::Action::"manageAccess.start", Holdfast::Action::"manageAccess.abort"]
};

@id("nobody-decides-about-their-own-access")
forbid (principal, action in Holdfast::Action::"approve", resource)
when { context.users.contains(principal) || principal in context.groups };

@id("nobody-approves-their-own")
forbid (principal, action in Holdfast::Action::"approve", resource)
unless { context has requestedBy && context.requestedBy != principal };

@id("only-people-approve")
forbid (principal, action in Holdfast::Action::"approve", resource)
unless { principal.kind == "person" };

@id("frozen")
forbid (principal, action in Holdfast::Action::"start", resource)
when { resource.frozen }
unless { context.hotfix && (principal in Holdfast::Role::"operator" || principal in Holdfast::Role::"admin") };
`;
