// Apart from the client's settings, which load a schema library: `--help` needs none of that.

/** May output be coloured? `NO_COLOR` by its convention: set to anything but the empty string. */
export const colourAllowed = (env: NodeJS.ProcessEnv = process.env): boolean =>
  (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';

/** `HOLDFAST_YES=1` agrees to the changes of the host that real pods need, as `--yes` does. */
export const hostChangesAgreed = (env: NodeJS.ProcessEnv = process.env): boolean =>
  env['HOLDFAST_YES'] === '1';

/**
 * The environment of a child process: this one's, with defaults where a variable is not set
 * and with overrides. Undefined values change nothing.
 */
export const environmentWith = ({
  defaults,
  overrides,
}: {
  defaults: Readonly<Record<string, string | undefined>>;
  overrides: Readonly<Record<string, string | undefined>>;
}): NodeJS.ProcessEnv => ({
  ...definedOnly(defaults),
  ...process.env,
  ...definedOnly(overrides),
});

const definedOnly = (
  values: Readonly<Record<string, string | undefined>>,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
