/** Server-side apply as the sandbox itself. */
import type { ControlPlane } from '../kubernetes/control-plane.ts';
import { SandboxError } from '../sandbox-error.ts';
import type { ClusterObject } from './gateway-objects.ts';

/** Resource names of the kinds that the sandbox applies; the API has no rule that yields them. */
const RESOURCES: Readonly<Record<string, string>> = {
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  CustomResourceDefinition: 'customresourcedefinitions',
  Gateway: 'gateways',
  GatewayClass: 'gatewayclasses',
  HTTPRoute: 'httproutes',
  Namespace: 'namespaces',
};

export function objectPath(object: ClusterObject): string {
  const resource = RESOURCES[object.kind];
  if (resource === undefined) throw new Error(`The sandbox does not apply a ${object.kind}.`);
  const { namespace, name } = object.metadata;
  const group = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : '/api/v1';
  const scope = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `${group}${scope}/${resource}/${name}`;
}

/** Makes the object, or changes it to what is given. Answers what is then there. */
export async function applyObject(cluster: ControlPlane, object: ClusterObject): Promise<unknown> {
  const { status, body } = await cluster.request({
    method: 'PATCH',
    path: `${objectPath(object)}?fieldManager=holdfast-sandbox&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: object,
  });
  if (status < 300) return body;
  throw new SandboxError({
    code: 'SANDBOX_START_FAILED',
    message: `The API server refused ${object.kind} ${object.metadata.name}: HTTP ${status} ${JSON.stringify(body)}`,
    next: 'Run `holdfast sandbox down`, then `holdfast sandbox up`.',
  });
}
