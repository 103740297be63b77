import { z } from 'zod';
import { Duration } from '../shared/duration.ts';
import { HttpUrl } from '../shared/http-url.ts';

const Path = z.string().startsWith('/');
const Status = z.number().int().min(100).max(599).default(200);
const BodyText = z.string().max(1_000);
const Command = z.array(z.string().min(1).max(1_000)).min(1).max(50);
const Container = z.string().min(1).max(63);
const minuteMs = 60_000;
const JobDeadlineMs = z.number().int().min(1_000).max(3_600_000);

const answer = {
  expectStatus: Status.describe('Status that passes.'),
  expectBody: BodyText.optional().describe('Text that the body must contain.'),
};

const HttpCheck = z
  .strictObject({ path: Path.describe('Path and query of the request.'), ...answer })
  .describe('One HTTP request to the service and the answer that it must get.');

const UrlCheck = z
  .strictObject({ url: HttpUrl.describe('Absolute address, e.g. of another system.'), ...answer })
  .describe('One HTTP request to somewhere else, such as a system that the service works with.');

const ExecCheck = z
  .strictObject({
    exec: Command.describe('Program and arguments, without a shell.'),
    container: Container.optional().describe('The first container of the pod if absent.'),
    timeoutMs: z.number().int().min(100).max(minuteMs).default(10_000),
  })
  .describe(
    'A command inside a ready pod of the new version; exit code 0 passes. It may run again after a crash of a worker.',
  );

/** It travels in the input of the workflow, with up to 39 others. */
const longestJob = 16_000;

const Job = z
  .looseObject({
    apiVersion: z.literal('batch/v1'),
    kind: z.literal('Job'),
    metadata: z.looseObject({ name: z.string().min(1).max(253) }),
    spec: z.looseObject({ template: z.looseObject({}) }),
  })
  .refine((job) => JSON.stringify(job).length <= longestJob, {
    message: `must not be longer than ${String(longestJob)} characters; put scripts into a ConfigMap`,
  })
  .describe('A Job as raw JSON; it runs under a name of its own and reads this release’s config.');

const JobCheck = z
  .strictObject({
    job: Job,
    deadlineMs: JobDeadlineMs.default(5 * minuteMs).describe(
      'Neither complete nor failed after this is no data, which is not a pass.',
    ),
  })
  .describe('A Job that must complete; its log is kept, and it is deleted afterwards.');

/** What must hold of a new version: an answer, a command, or a Job. */
export const CheckInput = z.union([HttpCheck, UrlCheck, ExecCheck, JobCheck]);

export type CheckInput = z.output<typeof CheckInput>;

const expected = {
  expect: Status,
  contains: BodyText.optional(),
};

const answerOf = ({
  expect,
  contains,
}: {
  expect: number;
  contains?: string | undefined;
}): { expectStatus: number; expectBody?: string } => ({
  expectStatus: expect,
  ...(contains === undefined ? {} : { expectBody: contains }),
});

/** The same as people write it in `holdfast.yaml`. */
export const CheckFile = z.union([
  z
    .strictObject({ http: z.strictObject({ path: Path, ...expected }) })
    .transform(({ http: { path, ...rest } }) => ({ path, ...answerOf(rest) })),
  z
    .strictObject({ url: HttpUrl, ...expected })
    .transform(({ url, ...rest }) => ({ url, ...answerOf(rest) })),
  z
    .strictObject({
      exec: Command,
      container: Container.optional(),
      timeout: Duration.optional(),
    })
    .transform(({ exec, container, timeout }) => ({
      exec,
      ...(container === undefined ? {} : { container }),
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    })),
  z.strictObject({ job: Job, within: Duration.optional() }).transform(({ job, within }) => ({
    job,
    ...(within === undefined ? {} : { deadlineMs: within }),
  })),
]);
