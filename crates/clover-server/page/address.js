// The address keeps what is shown, so that "back" works:
//
//   #q=a dog&not=rain&in=FOLDER&v=VIDEO@1000-4000    a search, and the moment that is open
//   #like=VIDEO@1000-4000    #view=library&state=broken&page=2

export const parameters = () => new URLSearchParams(location.hash.slice(1));

/** The address of a view; what is empty is left out. */
export function address(values) {
  const filled = Object.entries(values).filter(([, value]) => value);
  return `#${new URLSearchParams(filled)}`;
}
