/** Where a payload belongs, as far as it is known. It is sealed for that place and no other. */
export interface PayloadScope {
  namespace?: string | undefined;
  workflowId?: string | undefined;
}

/** What a schedule puts behind the workflow id that its action names: the time of the start. */
const scheduledAt = /-\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/**
 * A schedule's input is sealed once, under the id of its action, and read by every run that it
 * starts; a run also reads what the run before it left. They are one family.
 */
const familyOf = (workflowId: string | undefined): string | undefined =>
  workflowId?.replace(scheduledAt, '');

/**
 * What keeps a payload from being read here; undefined if nothing does. A side that does not know
 * its place cannot object.
 */
export const scopeConflict = (sealed: PayloadScope, here: PayloadScope): string | undefined => {
  if (differ(sealed.namespace, here.namespace)) return `namespace ${String(sealed.namespace)}`;
  if (differ(familyOf(sealed.workflowId), familyOf(here.workflowId))) {
    return `run ${String(sealed.workflowId)}`;
  }
  return undefined;
};

const differ = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && one !== other;
