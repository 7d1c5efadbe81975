import { Icon } from './icons.tsx'

interface FilterProps {
  label: string
  value: string
  onChange: (value: string) => void
}

/** A field whose words are to be in what a list shows. */
export function Filter({ label, value, onChange }: FilterProps) {
  return (
    <div className="filter">
      <Icon name="search" />
      <input type="search" aria-label={label} placeholder={label} value={value} spellCheck={false} onChange={(event) => onChange(event.target.value)} />
    </div>
  )
}

/** Whether all words are in a text, in any order. */
export function matches(text: string, words: string): boolean {
  const lower = text.toLowerCase()
  return words.toLowerCase().split(/\s+/).every((word) => lower.includes(word))
}
