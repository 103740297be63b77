/** How many people have to approve, and who counts. */
export interface WantedApproval {
  /** Different people; 1 if absent. */
  quorum?: number | undefined;
  /** Only members of one of these count; everyone who may approve if absent. */
  groups?: readonly string[] | undefined;
}

/** Someone's approval, with the groups that they are proven to be in. */
export interface GivenApproval {
  actor: string;
  groups: readonly string[];
}

/** An approval as it was sent, proof and all. */
export interface SentApproval {
  message: { actor: string; reason: string; planDigest: string; proof?: string };
  takenAtMs: number;
}

/** An approval that counts, with the message that proves it. */
export type TakenApproval = GivenApproval & SentApproval;

/** An approval that is waited for, and what came in. */
export interface OpenApproval {
  name: string;
  planDigest: string;
  wanted: WantedApproval;
  given: TakenApproval[];
  /** `by`: who decided, each with their reason. */
  decision?: { approved: boolean; by: string };
}

export const quorumOf = ({ quorum }: WantedApproval): number => quorum ?? 1;

/** Approvals that all of them ask for together: what policies may set a least number for. */
export const approvalsAskedFor = (wanted: readonly WantedApproval[]): number =>
  wanted.reduce((sum, approval) => sum + quorumOf(approval), 0);

/** Why this person's approval does not count, as the end of a sentence; undefined if it does. */
export const approverProblem = (
  { groups }: WantedApproval,
  given: GivenApproval,
): string | undefined => {
  if (groups === undefined || groups.some((group) => given.groups.includes(group)))
    return undefined;
  return `${given.actor} is not in ${groups.join(' or ')}`;
};

/** Different people whose approval counts. */
export const approversAmong = (
  wanted: WantedApproval,
  given: readonly GivenApproval[],
): string[] => [
  ...new Set(
    given
      .filter((approval) => approverProblem(wanted, approval) === undefined)
      .map(({ actor }) => actor),
  ),
];

export const isApproved = (wanted: WantedApproval, given: readonly GivenApproval[]): boolean =>
  approversAmong(wanted, given).length >= quorumOf(wanted);

/** Why nobody ever completes this approval, in words; undefined where these people could. */
export const unreachableBecause = (
  wanted: WantedApproval,
  able: readonly GivenApproval[],
): string | undefined => {
  const approvers = approversAmong(wanted, able);
  if (approvers.length >= quorumOf(wanted)) return undefined;
  const found = approvers.length === 0 ? 'nobody' : `only ${approvers.join(', ')}`;
  return `wanted is that of ${describeWanted(wanted)}, and ${found} may give it`;
};

/** One person, whoever they are. */
export const isPlain = (wanted: WantedApproval): boolean =>
  quorumOf(wanted) === 1 && wanted.groups === undefined;

/** What is asked for, in words: `2 people of leads or security`. */
export const describeWanted = (wanted: WantedApproval): string => {
  const quorum = quorumOf(wanted);
  const people = quorum === 1 ? 'one person' : `${String(quorum)} people`;
  return wanted.groups === undefined ? people : `${people} of ${wanted.groups.join(' or ')}`;
};
