/** A log at one moment: how many records, and the root over all of them. */
export interface TreeHead {
  /** Which log, unique in the world: `holdfast.example/operations`. */
  origin: string;
  size: number;
  /** Base64. */
  root: string;
}

/** A signature below a note: who signed, and base64 of four bytes that name the key and the signature. */
export interface NoteSignature {
  name: string;
  value: string;
}

/** The text that is signed, as C2SP tlog-checkpoint has it. */
export const headText = ({ origin, size, root }: TreeHead): string =>
  `${origin}\n${String(size)}\n${root}\n`;

/** The signed note (C2SP signed-note): the text, an empty line, the signatures. */
export const signedNote = (text: string, { name, value }: NoteSignature): string =>
  `${text}\n\u2014 ${name} ${value}\n`;

const notePattern =
  /^([^\n]+)\n(0|[1-9]\d{0,14})\n([A-Za-z0-9+/]{43}=)\n\n((?:\u2014 \S+ \S+\n)+)$/;

/** What a note says and who signed that; undefined if it is none. Whether it holds is another question. */
export const readNote = (
  note: string,
): { head: TreeHead; text: string; signatures: NoteSignature[] } | undefined => {
  const [, origin, size, root, signed] = notePattern.exec(note) ?? [];
  if (origin === undefined || size === undefined || root === undefined || signed === undefined) {
    return undefined;
  }
  const head = { origin, size: Number(size), root };
  const signatures = signed
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, name = '', value = ''] = line.split(' ');
      return { name, value };
    });
  return { head, text: headText(head), signatures };
};
