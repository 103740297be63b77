import { annotations, type KubernetesObject } from './kubernetes-object.ts';

/** `staging/shop`: how an object says which service releases it. */
export const serviceKeyOf = (target: { environment: string; service: string }): string =>
  `${target.environment}/${target.service}`;

export const annotationOf = (
  object: KubernetesObject,
  name: keyof typeof annotations,
): string | undefined => object.metadata.annotations?.[annotations[name]];

/** The fence of an object; 0 where no release has ever written it. */
export const fenceOf = (object: KubernetesObject): number => {
  const text = annotationOf(object, 'fence');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : 0;
};

/** A copy with annotations set, or removed where the value is undefined. */
export const withAnnotations = (
  object: KubernetesObject,
  values: Partial<Record<keyof typeof annotations, string | undefined>>,
): KubernetesObject => {
  const changed: Record<string, string> = { ...object.metadata.annotations };
  for (const [name, value] of Object.entries(values)) {
    const key = annotations[name as keyof typeof annotations];
    if (value === undefined) Reflect.deleteProperty(changed, key);
    else changed[key] = value;
  }
  const { annotations: _, ...metadata } = object.metadata;
  return Object.keys(changed).length === 0
    ? { ...object, metadata }
    : { ...object, metadata: { ...metadata, annotations: changed } };
};
