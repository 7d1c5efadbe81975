import { CompletionContext } from '@codemirror/autocomplete'
import { keywordCompletionSource, sql, StandardSQL } from '@codemirror/lang-sql'
import type { Words } from './complete.ts'

export const language = sql({ dialect: StandardSQL, upperCaseKeywords: true })

const keywords = keywordCompletionSource(StandardSQL, true)

export const words: Words = {
  word: /[\w$]*$/,
  own: async (before, state) => {
    const known = await keywords(new CompletionContext(state, before.length, true))
    return known ? [...known.options] : []
  },
}
