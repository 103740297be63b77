/**
 * The share of the traffic where no router makes it: a Service sends to every ready pod alike,
 * so that the share is the new version's part of the pods.
 */
export interface ReplicaShare {
  /** Pods of the new version. */
  candidate: number;
  /** Pods of the old one. */
  stable: number;
  /** What comes of it, rounded to a tenth. */
  achievedPercent: number;
}

export interface WantedShare {
  weightPercent: number;
  /** Pods that all the traffic needs. */
  replicas: number;
  /** May there be one pod more for the time of the rollout? */
  surges: boolean;
}

interface Option {
  candidate: number;
  total: number;
}

/** How far an option is off, as a fraction of whole numbers: nothing is rounded in between. */
const missBy = ({ candidate, total }: Option, weightPercent: number): [number, number] => [
  Math.abs(candidate * 100 - weightPercent * total),
  total,
];

const isCloser = (one: Option, than: Option, weightPercent: number): boolean => {
  const [miss, of] = missBy(one, weightPercent);
  const [otherMiss, otherOf] = missBy(than, weightPercent);
  return miss * otherOf < otherMiss * of;
};

/** All or nothing is only what was asked for, or what a single pod can do. */
const isAllowed = (
  { candidate, total }: Option,
  { weightPercent, replicas, surges }: WantedShare,
): boolean => {
  const isEdge = weightPercent === 0 || weightPercent === 100;
  const isAllOrNothing = candidate === 0 || candidate === total;
  return !isAllOrNothing || isEdge || (replicas === 1 && !surges);
};

/** The larger number first: of equally good ones the first is taken. */
const optionsOf = ({ weightPercent, replicas, surges }: WantedShare): Option[] => {
  const exact = weightPercent * replicas;
  const counts = [Math.ceil(exact / 100), Math.floor(exact / 100)];
  const totals = surges ? [replicas, replicas + 1] : [replicas];
  return totals.flatMap((total) => counts.map((candidate) => ({ candidate, total })));
};

/** The numbers of pods that come closest to the wanted share. */
export const replicaShare = (wanted: WantedShare): ReplicaShare => {
  const { weightPercent, replicas } = wanted;
  const [first, ...others] = optionsOf(wanted).filter((option) => isAllowed(option, wanted));
  const { candidate, total } = others.reduce(
    (best, option) => (isCloser(option, best, weightPercent) ? option : best),
    first ?? { candidate: 0, total: replicas },
  );
  return shareOfPods({ candidate, stable: total - candidate });
};

/** What these numbers of pods make of the traffic. */
export const shareOfPods = ({
  candidate,
  stable,
}: Omit<ReplicaShare, 'achievedPercent'>): ReplicaShare => {
  const total = candidate + stable;
  const achievedPercent = total === 0 ? 0 : Math.round((candidate / total) * 1_000) / 10;
  return { candidate, stable, achievedPercent };
};

/** `1 of 4 pods, 25 %`: what a share comes to. */
export const shareByPodsText = ({ candidate, stable, achievedPercent }: ReplicaShare): string =>
  `${String(candidate)} of ${String(candidate + stable)} pods, ${String(achievedPercent)} %`;
