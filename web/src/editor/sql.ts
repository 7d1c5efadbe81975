import type { Completion, CompletionContext, CompletionSource } from '@codemirror/autocomplete'
import { keywordCompletionSource, sql, StandardSQL } from '@codemirror/lang-sql'

export const language = sql({ dialect: StandardSQL, upperCaseKeywords: true })

const macros: Completion[] = [
  ['$__timeFilter(column)', 'rows in the time range'], ['$__timeGroup(column, interval)', 'times in steps'], ['$__timeGroupAlias(column, interval)', 'the same, AS time'],
  ['$__timeFrom()', 'begin of the range'], ['$__timeTo()', 'its end'], ['$__unixEpochFilter(column)', 'the same, for Unix times'],
  ['$__interval', 'the step of the graph'], ['$__interval_ms', 'in milliseconds'],
].map(([label, detail]) => ({ label, detail, type: 'function', boost: 1, apply: label.replace(/\(.+\)/, '(') }))

/** Completes keywords, macros, and the names of the data. */
export function completion(names: Completion[]): CompletionSource {
  const keywords = keywordCompletionSource(StandardSQL, true)
  return async (context: CompletionContext) => {
    const word = context.matchBefore(/[\w$]+/)
    if (!word && !context.explicit) return null
    if (word?.text.startsWith('$')) return { from: word.from, options: macros }
    const known = await keywords(context)
    return { from: word?.from ?? context.pos, options: [...names, ...(known?.options ?? [])], validFor: /^\w*$/ }
  }
}
