/**
 * Reading of the files that people write: manifests, `holdfast.yaml` and changes of access. Apart from the
 * facade, so that a service which has its objects in hand loads no YAML parser.
 */
export { loadAccessChange } from './access-change.ts';
export { loadServiceDefinition, type LoadedDefinition } from './holdfast-file.ts';
export { readManifests, type ManifestSource } from './manifests.ts';
