import { describe, expect, test } from '@jest/globals';
import { documentOf, link, styleSheet, tag, text } from '../../../client/cli/report/markup.ts';

describe('markup', () => {
  test('text is escaped in content and in attributes, whatever it holds', () => {
    const nasty = `"><script>alert('1')</script>&`;
    expect(tag('td', { title: nasty }, nasty).markup).toBe(
      '<td title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;">' +
        '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;</td>',
    );
  });

  test('markup inside of markup is kept, and lists of it are joined', () => {
    const cells = ['a', 'b'].map((cell) => tag('td', {}, cell));
    expect(tag('tr', {}, cells, text('<')).markup).toBe('<tr><td>a</td><td>b</td>&lt;</tr>');
  });

  test('an attribute without a value is left out; an element without content has no end', () => {
    expect(tag('meta', { charset: 'utf-8', name: undefined }).markup).toBe(
      '<meta charset="utf-8">',
    );
  });

  test('control characters, which break a parser, are replaced', () => {
    expect(text('a\u0000b\u001bc\ufffed\ne').markup).toBe('a\ufffdb\ufffdc\ufffdd\ne');
  });

  test.each(['javascript:alert(1)', 'data:text/html,x', ' http://x', 'file:///etc/passwd'])(
    'a link to %j is a text',
    (url) => {
      expect(link(url, 'run').markup).toBe('run');
    },
  );

  test('a link to a web page is one', () => {
    expect(link('https://x/?a="b"', 'run').markup).toBe(
      '<a href="https://x/?a=&quot;b&quot;" rel="noreferrer">run</a>',
    );
  });

  test('a style sheet that would end itself is refused', () => {
    expect(() => styleSheet('</style>')).toThrow(TypeError);
    expect(documentOf(styleSheet('a{}'))).toBe('<!doctype html>\n<style>a{}</style>\n');
  });
});
