import { z } from 'zod';

/**
 * Address of http or https. A pattern, because a published schema can say it; that blanks around an
 * address are not cut off follows from it.
 */
export const HttpUrl = z
  .string()
  .regex(/^[Hh][Tt][Tt][Pp][Ss]?:\/\/[\x21-\x7e]+$/, 'must be an address of http or https')
  .refine((text) => URL.canParse(text), 'must be an address of http or https')
  .meta({ format: 'uri' });
