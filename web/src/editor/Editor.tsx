import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionSource } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { Compartment, EditorState, Prec, type Extension } from '@codemirror/state'
import { EditorView, keymap } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useRef } from 'react'

export type Language = 'sql' | 'promql' | 'json' | 'text'

/** The language of a name; of one that is not known, plain text. */
export const languageNamed = (name?: string): Language => (name === 'sql' || name === 'promql' || name === 'json' ? name : 'text')

interface EditorProps {
  label: string
  language: Language
  value: string
  /** Is told of every change; without it the text is only read. */
  onChange?: (value: string) => void
  /** Is called by Ctrl+Enter. */
  onRun?: () => void
  complete?: CompletionSource
}

/** An editor for code, as high as its text. Tab leaves it, as any field. */
export function Editor({ label, language, value, onChange, onRun, complete }: EditorProps) {
  const box = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const latest = useRef({ onChange, onRun, complete })
  latest.current = { onChange, onRun, complete }
  const editable = onChange !== undefined

  useEffect(() => {
    const run = keymap.of([{ key: 'Mod-Enter', run: () => (latest.current.onRun?.(), true), stopPropagation: true }])
    const spoken = new Compartment()
    const made = new EditorView({
      parent: box.current!,
      doc: value,
      extensions: [
        Prec.highest(run), history(), closeBrackets(), bracketMatching(), EditorView.lineWrapping,
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap]),
        syntaxHighlighting(highlighting), look, EditorView.cspNonce.of(nonce), spoken.of([]),
        // The source may change while the editor stays.
        autocompletion({ override: [(context) => latest.current.complete?.(context) ?? null], icons: false }),
        EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
        EditorState.readOnly.of(!editable), EditorView.updateListener.of((update) => update.docChanged && latest.current.onChange?.(update.state.doc.toString())),
      ],
    })
    view.current = made
    let gone = false
    void languageOf(language).then((extension) => gone || made.dispatch({ effects: spoken.reconfigure(extension) }))
    return () => {
      gone = true
      made.destroy()
    }
    // What it shows is set below; all else makes another editor.
  }, [language, label, editable])

  useEffect(() => {
    const { state } = view.current!
    if (state.doc.toString() !== value) view.current!.dispatch({ changes: { from: 0, to: state.doc.length, insert: value } })
  }, [value])
  return <div ref={box} className="editor" />
}

const nonce = document.querySelector<HTMLMetaElement>('meta[name=nonce]')?.content ?? ''

/** Languages are loaded when one is first written. */
async function languageOf(language: Language): Promise<Extension> {
  switch (language) {
    case 'sql': return (await import('./sql.ts')).language
    case 'promql': return (await import('./promql.ts')).language
    case 'json': return (await import('./json.ts')).language
    case 'text': return []
  }
}

const highlighting = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--code-number)' },
  { tag: [tags.propertyName, tags.typeName, tags.special(tags.name)], color: 'var(--code-name)' },
  { tag: tags.comment, color: 'var(--quiet)', fontStyle: 'italic' },
])

const look = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'transparent', fontSize: '0.8125rem' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55', maxHeight: '22rem' },
  '.cm-content': { padding: '0.5rem 0', caretColor: 'var(--accent)' },
  '.cm-line': { padding: '0 0.75rem' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', border: '1px solid var(--border)', borderRadius: '8px', boxShadow: 'var(--shadow)', overflow: 'hidden' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '0.2rem 0.6rem' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent-soft)', color: 'var(--text)' },
  '.cm-completionDetail': { color: 'var(--quiet)', fontStyle: 'normal', marginLeft: '1rem' },
  '.cm-matchingBracket': { backgroundColor: 'var(--accent-soft)' },
})
