import { describeOnRoutes } from '../../conformance/candidates-on-routes.ts';
import { installRoutes } from './played-gateway.ts';
import { sandboxApi } from './real-site.ts';
import { realSites } from './real-sites.ts';

describeOnRoutes(
  'the Kubernetes API',
  realSites(async (sandbox) => installRoutes(await sandboxApi(sandbox))),
);
