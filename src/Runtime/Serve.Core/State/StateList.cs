using System.Collections.Immutable;

namespace Serve;

/// <summary>What the state API lists of one kind.</summary>
/// <typeparam name="T">The kind, for instance <see cref="TaskState"/>.</typeparam>
/// <param name="Total">How many there are.</param>
/// <param name="NumFiltered">How many of them the filters leave.</param>
/// <param name="NumAfterTruncation">How many of these are in <paramref name="Result"/>: the newest, up to the limit.</param>
/// <param name="Result">These; newest last.</param>
public sealed record StateList<T>(int Total, int NumFiltered, int NumAfterTruncation, ImmutableArray<T> Result);
