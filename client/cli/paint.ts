/** Tones of the terminal; what they look like is decided once. */
export type Tone = 'plain' | 'good' | 'bad' | 'busy' | 'faint' | 'strong';

/** A piece of a line with one tone. */
export interface Piece {
  text: string;
  tone: Tone;
}

export interface Canvas {
  widthChars: number;
  colour: boolean;
}

// SGR codes of the eight-colour set (ECMA-48), which every terminal with colour knows.
const codes: Record<Tone, number | null> = {
  plain: null,
  good: 32,
  bad: 31,
  busy: 33,
  faint: 90,
  strong: 1,
};

export const piece = (text: string, tone: Tone = 'plain'): Piece => ({ text, tone });

/** One line of the canvas: cut to its width, then coloured, so that colour never counts as width. */
export const paintLine = (pieces: readonly Piece[], { widthChars, colour }: Canvas): string => {
  let left = widthChars;
  const painted: string[] = [];
  for (const { text, tone } of pieces) {
    if (left <= 0) break;
    const shown = cut(text, left);
    left -= lengthOf(shown);
    painted.push(paint(shown, tone, colour));
  }
  return painted.join('').trimEnd();
};

export const paint = (text: string, tone: Tone, colour: boolean): string => {
  const code = codes[tone];
  if (!colour || code === null || text === '') return text;
  return `\u001b[${String(code)}m${text}\u001b[0m`;
};

/** Code points, so that a mark outside of the basic plane counts once. */
const lengthOf = (text: string): number => Array.from(text).length;

const cut = (text: string, widthChars: number): string => {
  const chars = Array.from(text.replaceAll(/\s*\n\s*/g, ' '));
  return chars.length <= widthChars
    ? chars.join('')
    : `${chars.slice(0, widthChars - 1).join('')}…`;
};

/** Rows as columns of equal width, two spaces apart; the last column takes what is left. */
export const paintTable = (rows: readonly (readonly Piece[])[], canvas: Canvas): string[] => {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach(({ text }, column) => {
      widths[column] = Math.max(widths[column] ?? 0, lengthOf(text));
    });
  }
  return rows.map((row) =>
    paintLine(
      row.map(({ text, tone }, column) => {
        const isLast = column === row.length - 1;
        return piece(isLast ? text : text.padEnd((widths[column] ?? 0) + 2), tone);
      }),
      canvas,
    ),
  );
};

/** A length of time as people read it: `0.4s`, `12.3s`, `1m 05s`, `2h 03m`. */
export const formatElapsed = (elapsedMs: number): string => {
  const ms = Math.max(0, elapsedMs);
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1_000);
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600)];
  if (hours === 0) return `${String(minutes)}m ${pad(seconds % 60)}s`;
  return `${String(hours)}h ${pad(minutes % 60)}m`;
};

const pad = (value: number): string => String(value).padStart(2, '0');
