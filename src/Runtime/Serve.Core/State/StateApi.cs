using System.Collections.Immutable;

namespace Serve;

/// <summary>One page of the state API: a list of one kind of item.</summary>
/// <typeparam name="T">The item type, for instance <see cref="TaskState"/>.</typeparam>
/// <param name="Total">The number of items.</param>
/// <param name="NumFiltered">The number of items that match the filters.</param>
/// <param name="NumAfterTruncation">The number of items in <paramref name="Result"/>: the newest ones, up to the limit.</param>
/// <param name="Result">The items, newest last.</param>
public sealed record StateList<T>(int Total, int NumFiltered, int NumAfterTruncation, ImmutableArray<T> Result);

/// <summary>A response of the state API in Ray's envelope.</summary>
/// <typeparam name="T">The payload type.</typeparam>
/// <param name="Result">Always true; errors are problem documents.</param>
/// <param name="Msg">Always empty.</param>
/// <param name="Data">The inner envelope.</param>
public sealed record StateApiResponse<T>(bool Result, string Msg, StateApiResponse<T>.StateApiPayload Data)
{
    /// <summary>The inner envelope.</summary>
    /// <param name="Result">The payload.</param>
    public sealed record StateApiPayload(T Result);
}

/// <summary>Total and available amount of one resource.</summary>
/// <param name="Total">The total amount.</param>
/// <param name="Available">The amount that is currently unreserved.</param>
public readonly record struct ResourceUsage(double Total, double Available);
