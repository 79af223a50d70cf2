// Vocabulary: a word that is not written into the configuration itself. Where it is read is each user's own matter.

export type Secret = { readonly type: 'file'; readonly path: string } | { readonly type: 'env'; readonly name: string };
