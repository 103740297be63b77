import { ServiceDefinition } from '../../contracts/delivery/service-definition.ts';
import { AccessChangeFile } from '../../contracts/security/access-change-file.ts';
import { EnvironmentsFile } from '../../contracts/shared/environments-file.ts';
import { fieldTable, generatedNote } from './markdown.ts';
import { jsonSchemaOf } from './published-schemas.ts';

/** `docs/reference/environments.md` */
export const environmentsPage = (): string =>
  page([
    '# environments.yaml',
    'Maps each environment to a cluster and a namespace. A worker reads it from `HOLDFAST_ENVIRONMENTS`. A cluster whose `kube-system` namespace has another uid than `cluster` is refused, and the current context of the kubeconfig is never used.',
    '```yaml\n# yaml-language-server: $schema=../../schemas/environments.json\nenvironments:\n  staging:\n    kubeconfig: staging.kubeconfig\n    context: staging-admin\n    cluster: 7d6f0a52-5c0b-4a43-9a4e-0f6c2a1c9b11\n    namespace: shop\n    traffic: { url: "http://gateway.internal", host: "{service}.staging.internal" }\n```',
    fieldTable(jsonSchemaOf(EnvironmentsFile, 'input')),
  ]);

/** `docs/reference/holdfast-yaml.md` */
export const serviceDefinitionPage = (): string =>
  page([
    '# holdfast.yaml',
    'How a service is released. Manifests are ordinary Kubernetes objects; Kustomize and Helm users pipe the rendered output in and write `manifests: ["-"]`. Lengths of time are a number with a unit: `500ms`, `90s`, `10m`, `1h`.',
    '```yaml\n# yaml-language-server: $schema=../../schemas/holdfast.json\nservice: shop\nenvironment: staging\nmanifests: [k8s/]\nstrategy: { type: rolling }\ndeadline: 10m\nsmoke:\n  - http: { path: /healthz, expect: 200 }\nbake: { for: 30s, failIf: probe.failureRatio > 0.01 }\napprovals: [{ name: release-manager, expiresAfter: 4h }]\nnotify: [{ webhook: "http://127.0.0.1:9000/hooks" }]\n```',
    fieldTable(jsonSchemaOf(ServiceDefinition, 'input')),
  ]);

/** `docs/reference/access-change-yaml.md` */
export const accessChangePage = (): string =>
  page([
    '# change.yaml',
    'Roles to give and to take away, for `holdfast access change -f change.yaml`; the [guide](../use-cases/manage-access.md) tells what comes of it. Which roles can be given, and who has to agree, is in `managed` of [access.yaml](access-yaml.md). Lengths of time are a number with a unit: `30m`, `8h`, `7d`.',
    '```yaml\n# yaml-language-server: $schema=../../schemas/access-change.json\nchange: ops-4711\ngive:\n  - { role: operator, user: ana@example.com, environments: [prod], for: 8h }\nremove:\n  - { role: releaser, group: shop-team, environments: [prod] }\nnotify: [{ webhook: "http://127.0.0.1:9000/hooks" }]\nreason: Ana is on call this week\n```',
    fieldTable(jsonSchemaOf(AccessChangeFile, 'input')),
  ]);

const page = (parts: readonly string[]): string =>
  [generatedNote, ...parts].join('\n\n').concat('\n');
