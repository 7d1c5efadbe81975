import { CompletionContext } from '@codemirror/autocomplete'
import { keywordCompletionSource, sql, SQLDialect, StandardSQL } from '@codemirror/lang-sql'
import type { Words } from './complete.ts'

// Macros are names that begin with a dollar.
export const language = sql({ dialect: SQLDialect.define({ ...StandardSQL.spec, specialVar: '$@?' }), upperCaseKeywords: true })

const keywords = keywordCompletionSource(StandardSQL, true)

export const words: Words = {
  word: /[\w$]*$/,
  own: async (before, state) => {
    const known = await keywords(new CompletionContext(state, before.length, true))
    return known ? [...known.options] : []
  },
}
