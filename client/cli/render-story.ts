import { deviations, goodVersion, type ChapterRecord } from './demo-chapters.ts';
import { formatElapsed, paintLine, paintTable, piece, type Canvas, type Piece } from './paint.ts';
import { requestsPerSecond, timeToSafeMs, type TrafficCounts } from './traffic-counts.ts';

/** The story at a glance: each chapter, how it ended, what users met, and whether it went as told. */
export const renderStory = (
  records: readonly ChapterRecord[],
  untold: readonly string[],
  canvas: Canvas,
): string => {
  const head = ['version', 'outcome', 'took', 'requests', 'failed', 'as told'];
  const rows = records.map((record): Piece[] => {
    const { chapter, result, traffic, elapsedMs } = record;
    const wrong = deviations(record);
    return [
      piece(chapter.version, 'strong'),
      piece(result.outcome.replaceAll('-', ' ')),
      piece(formatElapsed(elapsedMs), 'faint'),
      ...trafficPieces(traffic),
      wrong.length === 0 ? piece('yes', 'good') : piece(`no: ${wrong.join('; ')}`, 'bad'),
    ];
  });
  return [
    ...paintTable([head.map((title) => piece(title, 'faint')), ...rows], canvas),
    ...records.flatMap((record) => safetyLine(record, canvas)),
    ...untold.map((reason) => paintLine([piece('not told: ', 'busy'), piece(reason)], canvas)),
    ...records.flatMap(({ chapter, url }) =>
      url === undefined
        ? []
        : [
            paintLine([piece(`${chapter.version}  `, 'faint'), piece(url)], {
              ...canvas,
              widthChars: linkChars,
            }),
          ],
    ),
  ].join('\n');
};

// A link that is cut off is none.
const linkChars = 1_000;

const trafficPieces = (traffic: TrafficCounts | null): Piece[] => {
  if (traffic === null) return [piece('not measured', 'faint'), piece('–', 'faint')];
  const rate = requestsPerSecond(traffic).toFixed(0);
  return [
    piece(`${String(traffic.sent)} at ${rate}/s`),
    piece(String(traffic.failed), traffic.failed === 0 ? 'good' : 'busy'),
  ];
};

const safetyLine = ({ chapter, traffic }: ChapterRecord, canvas: Canvas): string[] => {
  if (traffic === null || chapter.failedRequests !== 'some') return [];
  const safeMs = timeToSafeMs(traffic, goodVersion);
  if (safeMs === null) return [];
  const text = `${chapter.version}: ${String(traffic.failed)} requests failed; ${formatElapsed(safeMs)} after the first of them version ${goodVersion} served alone`;
  return [paintLine([piece(text)], canvas)];
};
