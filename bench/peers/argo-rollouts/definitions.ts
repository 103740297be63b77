import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { locateTool } from '../../../sandbox/tools/locate.ts';
import { runCommand } from '../../../sandbox/tools/run-command.ts';

const traefikKinds: Readonly<Record<string, string>> = {
  IngressRoute: 'ingressroutes',
  IngressRouteTCP: 'ingressroutetcps',
  IngressRouteUDP: 'ingressrouteudps',
  Middleware: 'middlewares',
  MiddlewareTCP: 'middlewaretcps',
  ServersTransport: 'serverstransports',
  ServersTransportTCP: 'serverstransporttcps',
  TLSOption: 'tlsoptions',
  TLSStore: 'tlsstores',
  TraefikService: 'traefikservices',
};

const traefikGroup = 'traefik.io';

const openSchema = {
  openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
};

/** The kinds that Traefik watches beside those of the Gateway API, without their field checks. */
export const traefikDefinitions = (): KubernetesObject[] =>
  Object.entries(traefikKinds).map(([kind, plural]) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${traefikGroup}` },
    spec: {
      group: traefikGroup,
      names: { kind, plural, singular: kind.toLowerCase() },
      scope: 'Namespaced',
      versions: [{ name: 'v1alpha1', served: true, storage: true, schema: openSchema }],
    },
  }));

interface ModuleFolder {
  Dir: string;
}

/** The peer's own kinds, as its module ships them. */
export const rolloutDefinitions = async (): Promise<KubernetesObject[]> => {
  const go = await locateTool('go', { onProgress: () => undefined });
  const module = 'github.com/argoproj/argo-rollouts';
  const { stdout, exitCode, tail } = await runCommand({
    command: go.path,
    args: ['mod', 'download', '-json', module],
    workingDirectory: path.join(import.meta.dirname, 'go'),
    environment: { GOFLAGS: '', GOTOOLCHAIN: 'local', GOWORK: 'off' },
  });
  if (exitCode !== 0) throw new Error(`${module} was not found:\n${tail}`);
  const folder = path.join((JSON.parse(stdout) as ModuleFolder).Dir, 'manifests', 'crds');
  return readdirSync(folder)
    .filter((file) => file.endsWith('-crd.yaml'))
    .map((file) => parse(readFileSync(path.join(folder, file), 'utf8')) as KubernetesObject);
};
