import type { Schema } from '../api/types.ts'
import { useCompletion } from '../editor/complete.ts'
import { Editor, languageNamed } from '../editor/Editor.tsx'

interface TextProps {
  label: string
  schema: Schema
  /** The data source that completes it, if there is one yet. */
  uid?: string
  value: string
  onRun?: () => void
  onChange: (value: string) => void
}

/** A text in the language that its schema says. */
export default function TextEditor({ label, schema, uid, ...editor }: TextProps) {
  const language = languageNamed(schema['x-plugboard-language'])
  const complete = useCompletion(uid, language, schema['x-plugboard-options'])
  return <Editor label={label} language={language} complete={complete} {...editor} />
}
