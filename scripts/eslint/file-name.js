import path from 'node:path';

const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|config|direct|runtime))*$/;
const SAYS_NOTHING = /(?:^|-)(?:utils?|helpers?|common|misc|managers?|processors?)(?:-|$|\.)/;

/**
 * A file is found by its name: it is spelled one way and says what is inside.
 * @type {import('eslint').Rule.RuleModule}
 */
export const fileName = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      spelling: "'{{name}}' is not kebab-case.",
      meaning: "'{{name}}' does not say what is in the file; name the concept it holds.",
    },
  },
  create(context) {
    return {
      Program(node) {
        const { name } = path.parse(context.filename);
        if (!KEBAB_CASE.test(name)) context.report({ node, messageId: 'spelling', data: { name } });
        if (SAYS_NOTHING.test(name)) context.report({ node, messageId: 'meaning', data: { name } });
      },
    };
  },
};
