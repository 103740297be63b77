/** The Kubernetes objects of the gateway and of a route through it. */

export const GATEWAY_NAME = 'holdfast';
export const GATEWAY_NAMESPACE = 'holdfast-gateway';
/** The Kubernetes user as whom Traefik asks. */
export const GATEWAY_USER = 'holdfast:gateway';

export interface ClusterObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

const GATEWAY_API = 'gateway.networking.k8s.io';
const RBAC_API = 'rbac.authorization.k8s.io';
const KINDS = ['gatewayclasses', 'gateways', 'httproutes', 'grpcroutes', 'tcproutes', 'tlsroutes'];

/** What Traefik has to read, and the status that it writes. */
export function gatewayAccess(): ClusterObject[] {
  const name = GATEWAY_USER;
  return [
    {
      apiVersion: `${RBAC_API}/v1`,
      kind: 'ClusterRole',
      metadata: { name },
      rules: [
        {
          apiGroups: [''],
          resources: ['namespaces', 'services', 'secrets', 'configmaps', 'nodes'],
          verbs: ['get', 'list', 'watch'],
        },
        {
          apiGroups: ['discovery.k8s.io'],
          resources: ['endpointslices'],
          verbs: ['list', 'watch'],
        },
        {
          apiGroups: [GATEWAY_API],
          resources: [...KINDS, 'backendtlspolicies', 'referencegrants', 'listenersets'],
          verbs: ['get', 'list', 'watch'],
        },
        {
          apiGroups: [GATEWAY_API],
          resources: [...KINDS, 'backendtlspolicies', 'listenersets'].map(
            (kind) => `${kind}/status`,
          ),
          verbs: ['update', 'patch'],
        },
      ],
    },
    {
      apiVersion: `${RBAC_API}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: RBAC_API, kind: 'ClusterRole', name },
      subjects: [{ apiGroup: RBAC_API, kind: 'User', name: GATEWAY_USER }],
    },
  ];
}

/** A gateway that takes routes from every namespace. Traefik listens on the same port. */
export function gatewayObjects(port: number): ClusterObject[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: GATEWAY_NAMESPACE } },
    {
      apiVersion: `${GATEWAY_API}/v1`,
      kind: 'GatewayClass',
      metadata: { name: GATEWAY_NAME },
      spec: { controllerName: 'traefik.io/gateway-controller' },
    },
    {
      apiVersion: `${GATEWAY_API}/v1`,
      kind: 'Gateway',
      metadata: { name: GATEWAY_NAME, namespace: GATEWAY_NAMESPACE },
      spec: {
        gatewayClassName: GATEWAY_NAME,
        listeners: [
          {
            name: 'http',
            protocol: 'HTTP',
            port,
            allowedRoutes: { namespaces: { from: 'All' } },
          },
        ],
      },
    },
  ];
}

/** Which requests go to which Service. */
export interface ServiceRoute {
  readonly namespace: string;
  readonly service: string;
  readonly servicePort: number;
  /** Requests with this Host header, e.g. `shop.staging.local`. */
  readonly host: string;
  /** All paths when absent. */
  readonly pathPrefix?: string;
}

/** The HTTPRoute, named after the Service. */
export function serviceRoute(route: ServiceRoute): ClusterObject {
  const path = { type: 'PathPrefix', value: route.pathPrefix ?? '/' };
  return {
    apiVersion: `${GATEWAY_API}/v1`,
    kind: 'HTTPRoute',
    metadata: { name: route.service, namespace: route.namespace },
    spec: {
      parentRefs: [{ name: GATEWAY_NAME, namespace: GATEWAY_NAMESPACE }],
      hostnames: [route.host],
      rules: [
        {
          matches: [{ path }],
          backendRefs: [{ name: route.service, port: route.servicePort }],
        },
      ],
    },
  };
}
