/** What a release is doing, in one word. */
export type Situation =
  | 'queued'
  | 'waiting-for-approval'
  | 'paused'
  | 'moving'
  | 'checking'
  | 'watching'
  | 'undecided'
  | 'held'
  | 'retaining'
  | 'unwinding'
  | 'needs-operator'
  | 'silent'
  | 'paused-by-server'
  | 'ended-from-outside'
  | 'finished';

/** A command, and what it would do now. */
export interface OfferedCommand {
  command: string;
  effect: string;
}

/** Why a release is where it is. Each part is a list of sentences. */
export interface Explanation {
  situation: Situation;
  /** What it does, after its name: `is held at 30 %`. */
  headline: string;
  now: string[];
  why: string[];
  waitsFor: string[];
  /** What happens without anyone doing anything. */
  next: string[];
  done: string[];
  commands: OfferedCommand[];
}

/** What one situation says; what it leaves out is empty. */
export type Telling = Pick<Explanation, 'headline'> &
  Partial<Omit<Explanation, 'situation' | 'headline' | 'done'>>;
