import { describeBeside } from '../../conformance/candidates-beside.ts';
import { describeRefused } from '../../conformance/candidates-refused.ts';
import { installRoutes } from './played-gateway.ts';
import { sandboxApi } from './real-site.ts';
import { realSites } from './real-sites.ts';

const openSite = realSites(async (sandbox) => installRoutes(await sandboxApi(sandbox)));

describeBeside('the Kubernetes API', openSite);
describeRefused('the Kubernetes API', openSite);
