/**
 * Reading of the files that people write: manifests and `holdfast.yaml`. Apart from the
 * facade, so that a service which has its objects in hand loads no YAML parser.
 */
export { loadServiceDefinition, type LoadedDefinition } from './holdfast-file.ts';
export { readManifests, type ManifestSource } from './manifests.ts';
