import type { KubernetesObject } from './kubernetes-object.ts';
import { annotationOf } from './object-fence.ts';
import type { ChainLink } from './release-plan.ts';

export const linkMark = ({ plan, link }: ChainLink): string => `${plan}.${String(link)}`;

/** How many of the plan's writes to this object have taken effect and were not undone. */
export const linksWritten = (live: KubernetesObject, { plan }: ChainLink): number => {
  const mark = annotationOf(live, 'link') ?? '';
  const number = mark.startsWith(`${plan}.`) ? mark.slice(plan.length + 1) : '';
  return /^\d{1,3}$/.test(number) ? Number(number) : 0;
};
