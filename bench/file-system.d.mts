export function fileSystemOf(folder: string): string;
