import { useEffect } from 'react'

/** Says in the title of the window what a page is about. */
export function useTitle(...names: (string | undefined)[]) {
  const title = [...names.filter(Boolean), 'Plugboard'].join(' · ')
  useEffect(() => {
    document.title = title
  }, [title])
}
