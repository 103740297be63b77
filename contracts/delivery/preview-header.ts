import { z } from 'zod';

/** Request header by which engineers reach the new version before it has a share of the traffic. */
export const PreviewHeader = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9-]{1,100}$/),
    value: z.string().regex(/^[\x21-\x7e]{1,200}$/, 'must be printable and without blanks'),
  })
  .describe(
    'While the new version is beside the old one, requests with this header reach it through the entry of users; needs a route.',
  );
