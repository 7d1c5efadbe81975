import { useEffect, useRef, useState } from 'react'

/** Whether an element has come into sight, and what to give it as a ref. */
export function useSeen<E extends Element>(): [React.RefObject<E | null>, boolean] {
  const element = useRef<E>(null)
  const [seen, setSeen] = useState(false)
  useEffect(() => {
    if (seen) return
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true))
    observer.observe(element.current!)
    return () => observer.disconnect()
  }, [seen])
  return [element, seen]
}
