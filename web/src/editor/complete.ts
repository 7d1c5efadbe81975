// What an editor offers to complete: the words of the language itself, and
// those that a resource of the plugin lists.
import type { Completion, CompletionSource } from '@codemirror/autocomplete'
import type { EditorState } from '@codemirror/state'
import type { EditorView } from '@codemirror/view'
import { useMemo } from 'react'
import { listOptions, pathOf, takes } from '../form/options.ts'
import type { Language } from './Editor.tsx'

/** What a language knows of its words. */
export interface Words {
  /** The word that a text ends with, perhaps an empty one. */
  word: RegExp
  /** The language's own words that may follow a text. */
  own: (before: string, state: EditorState) => Promise<Completion[]>
}

const none: Words = { word: /[\w$]*$/, own: () => Promise.resolve([]) }

async function wordsOf(language: Language): Promise<Words> {
  switch (language) {
    case 'sql': return (await import('./sql.ts')).words
    case 'promql': return (await import('./promql.ts')).words
    default: return none
  }
}

/** How to complete a text of a language, to a data source that has a resource with its words. */
export function useCompletion(uid: string | undefined, language: Language, options?: string): CompletionSource | undefined {
  return useMemo(() => {
    if (language === 'json' || (language === 'text' && !options)) return undefined
    const words = wordsOf(language)
    return async (context) => complete(uid, await words, context.state, context.pos, context.explicit, options)
  }, [uid, language, options])
}

async function complete(uid: string | undefined, { word, own }: Words, state: EditorState, pos: number, explicit: boolean, options?: string) {
  const text = state.sliceDoc(0, pos)
  const asks = options !== undefined && takes(options, 'before')
  const quote = openQuote(text)
  const begun = quote >= 0 ? text.slice(quote + 1) : word.exec(text)![0]
  const from = pos - begun.length
  // Where nothing is written yet, something is offered if it is clear what.
  if (!explicit && !begun && !(asks && (quote >= 0 || /[{([,]\s*$/.test(text)))) return null
  if (quote >= 0 && !asks) return null
  const [theirs, ours] = await Promise.all([
    uid === undefined || options === undefined ? [] : listOptions(uid, pathOf(options, { before: text.slice(0, from) })).catch(() => []),
    quote >= 0 ? [] : own(text.slice(0, from), state),
  ])
  const listed = theirs.map(({ value, label }): Completion => ({ ...called(value), detail: label, type: 'variable', boost: value.startsWith('$') ? 1 : 2 }))
  return { from, options: [...listed, ...ours], validFor: quote >= 0 ? /^[^"'`]*$/ : /^[\w:$]*$/ }
}

/** A word that is completed; one that opens a parenthesis is closed behind the cursor. */
export function called(word: string): Completion {
  if (!word.endsWith('(')) return { label: word }
  const apply = (view: EditorView, _: Completion, from: number, to: number) => {
    const open = view.state.sliceDoc(to, to + 1) === '('
    view.dispatch({ changes: { from, to, insert: open ? word.slice(0, -1) : `${word})` }, selection: { anchor: from + word.length }, userEvent: 'input.complete' })
  }
  return { label: word, displayLabel: word.slice(0, -1), apply }
}

/** Where a quote begins that the text does not close, -1 if there is none. */
function openQuote(text: string): number {
  let open = -1
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (open >= 0) {
      if (c === '\\') i++
      else if (c === text[open]) open = -1
    } else if (c === '"' || c === "'" || c === '`') open = i
  }
  return open
}
