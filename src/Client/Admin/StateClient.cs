using System.Globalization;
using Serve.Http;

namespace Serve.Admin;

/// <summary>
/// Looks at a cluster from outside, be it a node's or that of a program: its state API, typed. Thread-safe. Every method throws
/// <see cref="NodeUnreachableException"/> when nothing answers, <see cref="AccessDeniedException"/> when the token is missing or wrong,
/// and <see cref="BadInputException"/> when a condition names no field.
/// </summary>
public sealed class StateClient : IDisposable
{
    private const string Root = "api/v0/";
    private readonly NodeHttpConnection _connection;

    /// <summary>Prepares to look; sends nothing.</summary>
    /// <param name="address">The base address. Default: a node on this machine with default ports.</param>
    /// <param name="options">How to reach it. Default: as suits a node on this machine.</param>
    /// <exception cref="ArgumentException">The address or the token file cannot be read.</exception>
    public StateClient(string address = "http://127.0.0.1:8265", ServeClientOptions? options = null) =>
        _connection = NodeHttpConnection.Open(address, options ?? new ServeClientOptions(), "The program may have ended; 'serve list tasks' finds those that run.");

    /// <summary>The base address.</summary>
    public Uri Address => _connection.Address;

    /// <summary>Lists things of one kind.</summary>
    /// <typeparam name="T">The kind's record, for instance <see cref="TaskState"/>.</typeparam>
    /// <param name="kind"><c>tasks</c>, <c>actors</c>, <c>objects</c>, <c>workers</c>, <c>nodes</c> or <c>placement_groups</c>.</param>
    /// <param name="conditions">What they must be, all of it. Default: no matter what.</param>
    /// <param name="limit">How many at most, the newest: 1 to 10,000. Default 100.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>The list, and how many there are.</returns>
    public async Task<StateList<T>> ListAsync<T>(
        string kind, IReadOnlyCollection<StateFilterCondition>? conditions = null, int? limit = null, CancellationToken cancellationToken = default)
    {
        var query = (conditions ?? []).SelectMany(condition => new[]
        {
            ("filter_keys", condition.Field), ("filter_predicates", condition.IsEqual ? "=" : "!="), ("filter_values", condition.Value),
        });
        if (limit is { } most)
            query = query.Append(("limit", most.ToString(CultureInfo.InvariantCulture)));
        var asked = string.Join('&', query.Select(pair => $"{pair.Item1}={Uri.EscapeDataString(pair.Item2)}"));
        return await ReadAsync<StateList<T>>($"{kind}{(asked.Length > 0 ? "?" : "")}{asked}", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Counts of tasks, actors and objects, and the resources.</summary>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>The counts.</returns>
    public Task<ClusterSummary> GetSummaryAsync(CancellationToken cancellationToken = default) => ReadAsync<ClusterSummary>("summarize", cancellationToken);

    /// <summary>What takes memory.</summary>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>Objects and processes.</returns>
    public Task<ClusterMemory> GetMemoryAsync(CancellationToken cancellationToken = default) => ReadAsync<ClusterMemory>("memory", cancellationToken);

    /// <summary>Writes what ran when as a Chrome trace.</summary>
    /// <param name="output">Where to; left open.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Completes when it is written.</returns>
    public async Task WriteTimelineAsync(Stream output, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Root + "timeline");
        using var response = await _connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            await response.Content.CopyToAsync(output, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException broken)
        {
            throw _connection.Unreachable(broken);
        }
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _connection.Dispose();

    private async Task<T> ReadAsync<T>(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Root + path);
        return (await _connection.ReadAsync<StateApiResponse<T>>(request, ServeJson.State, cancellationToken).ConfigureAwait(false)).Data.Result;
    }
}
