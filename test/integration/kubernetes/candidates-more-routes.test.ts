import { describeMoreRoutes } from '../../conformance/candidates-more-routes.ts';
import { installRoutes } from './played-gateway.ts';
import { sandboxApi } from './real-site.ts';
import { realSites } from './real-sites.ts';

describeMoreRoutes(
  'the Kubernetes API',
  realSites(async (sandbox) => installRoutes(await sandboxApi(sandbox))),
);
