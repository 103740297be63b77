import type { ReleasePlan } from '../delivery/release-plan.ts';
import { paintLine, piece, type Canvas, type Piece, type Tone } from './paint.ts';

type Change = ReleasePlan['changes'][number];

const actionTones: Record<Change['action'], Tone> = {
  create: 'good',
  activate: 'good',
  patch: 'busy',
  keep: 'faint',
};

/** The plan as a reader approves it: every field that would change, with both values. */
export const renderPlan = (plan: ReleasePlan, canvas: Canvas): string => {
  const changed = plan.changes.filter(({ action }) => action !== 'keep').length;
  const kept = plan.changes.length - changed;
  const lines: Piece[][] = [
    [
      piece(`${String(changed)} changes, ${String(kept)} objects stay as they are`, 'strong'),
      piece('  nothing was touched', 'faint'),
    ],
    ...plan.changes.flatMap(changeLines),
    ...plan.images.map(({ container, image }) => [
      piece(`image ${container}: `, 'faint'),
      piece(image),
    ]),
    ...plan.warnings.map((warning) => [piece('note: ', 'busy'), piece(warning)]),
    [piece(`plan ${plan.planDigest}`, 'faint')],
  ];
  return lines.map((line) => paintLine(line, canvas)).join('\n');
};

const changeLines = ({ action, object, fields }: Change): Piece[][] => [
  [piece(action.padEnd(9), actionTones[action]), piece(`${object.kind}/${object.name}`)],
  ...fields.map(({ path, before, after }) => [
    piece(`  ${path}  `),
    piece(before === '' ? '' : `${before} `, 'bad'),
    piece('→ ', 'faint'),
    piece(after === '' ? '(removed)' : after, 'good'),
  ]),
];
