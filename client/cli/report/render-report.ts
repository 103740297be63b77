import { documentOf, styleSheet, tag } from './markup.ts';
import type { ReleaseReport } from './release-report.ts';
import { reportHeader, titleOf } from './report-header.ts';
import { timedGates } from './rollout-moments.ts';
import { reportStyle } from './style.ts';
import {
  compensationsSection,
  gatesSection,
  identitiesSection,
  proofSection,
  timelineSection,
} from './tables.ts';
import { trafficSection } from './traffic-section.ts';

// Nothing is loaded and nothing runs, even if something of the kind got into the page.
const policy = "default-src 'none'; style-src 'unsafe-inline'";

/** One finished release as a page that needs nothing else. */
export const renderReport = (report: ReleaseReport): string => {
  const { facts } = report;
  const gates = timedGates(report);
  return documentOf(
    tag(
      'html',
      { lang: 'en' },
      tag(
        'head',
        {},
        tag('meta', { charset: 'utf-8' }),
        tag('meta', { 'http-equiv': 'Content-Security-Policy', content: policy }),
        tag('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
        tag('meta', { name: 'color-scheme', content: 'light dark' }),
        tag('title', {}, `${titleOf(facts.name)}: release report`),
        styleSheet(reportStyle),
      ),
      tag(
        'body',
        {},
        tag(
          'main',
          {},
          reportHeader(report),
          trafficSection(report, gates),
          gatesSection(gates),
          compensationsSection(report),
          proofSection(report),
          identitiesSection(report),
          timelineSection(report),
          tag(
            'footer',
            {},
            `Written ${new Date(facts.nowMs).toISOString()} by holdfast deploy report.`,
          ),
        ),
      ),
    ),
  );
};
