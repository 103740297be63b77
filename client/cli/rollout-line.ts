import type { DeployServiceProgress } from '../../contracts/delivery/deploy-service.ts';
import type { WatchObservation } from '../run-view.ts';
import { formatElapsed, piece, type Piece } from './paint.ts';

type Rollout = NonNullable<DeployServiceProgress['rollout']>;

const barChars = 20;

/** How far the new version has taken over: a bar of the wanted share, and what was measured. */
export const rolloutLine = (rollout: Rollout): Piece[] => {
  const { strategy, weightPercent, heldAtPercent } = rollout;
  const filled = Math.round((weightPercent / 100) * barChars);
  return [
    piece(`${strategy}  `, 'faint'),
    piece('█'.repeat(filled), 'good'),
    piece('░'.repeat(barChars - filled), 'faint'),
    piece(` ${String(weightPercent)} %`, 'strong'),
    piece(madeText(rollout), 'faint'),
    piece(heldAtPercent === undefined ? '' : heldText(rollout, heldAtPercent), 'busy'),
  ];
};

/** What became of the wanted share: by the numbers of pods, and by the answers. */
export const madeText = ({
  achievedPercent,
  measuredPercent,
}: Pick<Rollout, 'achievedPercent' | 'measuredPercent'>): string =>
  [
    achievedPercent === undefined ? '' : `, ${String(achievedPercent)} % by pods`,
    measuredPercent === undefined ? '' : `, ${String(measuredPercent)} % measured`,
  ].join('');

const heldText = ({ weightPercent }: Rollout, heldAtPercent: number): string =>
  heldAtPercent === weightPercent
    ? '  held by an operator'
    : `  on the way to ${String(heldAtPercent)} %, set by an operator`;

/** What the open window of a gate has counted; by version where they are told apart. */
export const countsLine = ({
  samples,
  failures,
  versions,
  elapsedMs,
}: WatchObservation): Piece[] => {
  const named = (versions ?? []).filter(({ version }) => version !== '');
  const counted =
    named.length > 1
      ? named.map((of) => `${of.version}: ${failedOf(of)}`).join(', ')
      : failedOf({ samples, failures });
  return [
    piece('now  ', 'busy'),
    piece(counted, failures > 0 ? 'bad' : 'plain'),
    piece(`  in ${formatElapsed(elapsedMs)}`, 'faint'),
  ];
};

/** `3 of 240 failed` */
export const failedOf = ({ samples, failures }: { samples: number; failures: number }): string =>
  `${String(failures)} of ${String(samples)} failed`;
