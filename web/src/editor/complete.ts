// What an editor offers to complete, beside the language itself: what the
// plugin's resources tell of the data.
import type { Completion, CompletionSource } from '@codemirror/autocomplete'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { getJSON } from '../api/http.ts'
import type { Source } from '../api/types.ts'
import type { Language } from './Editor.tsx'

/** How to complete queries to a data source. */
export function useCompletion(source: Source, language: Language): CompletionSource | undefined {
  const names = useQuery({ queryKey: ['complete', source.uid], queryFn: () => namesOf(source.uid), enabled: language === 'sql', staleTime: 300_000, retry: false }).data
  return useMemo(() => {
    if (language !== 'sql') return undefined
    const inSQL = import('./sql.ts').then((sql) => sql.completion(names ?? []))
    return async (context) => (await inSQL)(context)
  }, [language, names])
}

/** Tables and columns, from a plugin that has them as resources; of others, nothing. */
async function namesOf(uid: string): Promise<Completion[]> {
  const resource = <T>(path: string) => getJSON<T>(`/api/datasources/uid/${encodeURIComponent(uid)}/resources/${path}`)
  const tables = await resource<string[]>('tables').catch(() => [])
  const columns = await Promise.all(tables.slice(0, 50).map((table) => resource<{ name: string; type: string }[]>(`columns?table=${encodeURIComponent(table)}`).catch(() => [])))
  return [
    ...tables.map((label) => ({ label, detail: 'table', type: 'class', boost: 3 })),
    ...columns.flatMap((of, i) => of.map(({ name, type }) => ({ label: name, detail: `${tables[i]} · ${type.toLowerCase()}`, type: 'property', boost: 2 }))),
  ]
}
