using System.Globalization;
using Serve.Http;

namespace Serve.Admin;

/// <summary>
/// A typed client of the state API of a cluster, on a node or in a program. Thread-safe. Every method throws
/// <see cref="NodeUnreachableException"/> if the cluster is unreachable, <see cref="AccessDeniedException"/> if the token is missing or wrong,
/// and <see cref="BadInputException"/> if a filter names an unknown field.
/// </summary>
public sealed class StateClient : IDisposable
{
    private const string Root = "api/v0/";
    private readonly NodeHttpConnection _connection;

    /// <summary>Creates a client without connecting.</summary>
    /// <param name="address">The base address. Default: a node on this machine with default ports.</param>
    /// <param name="options">Connection options. The defaults suit a node on this machine.</param>
    /// <exception cref="ArgumentException">The address is invalid, or the token file cannot be read.</exception>
    public StateClient(string address = "http://127.0.0.1:8265", ServeClientOptions? options = null) =>
        _connection = NodeHttpConnection.Open(address, options ?? new ServeClientOptions(), "The program may have exited. Run 'serve list tasks' to find running programs.");

    /// <summary>Gets the base address.</summary>
    public Uri Address => _connection.Address;

    /// <summary>Lists items of one kind.</summary>
    /// <typeparam name="T">The item type, for instance <see cref="TaskState"/>.</typeparam>
    /// <param name="kind"><c>tasks</c>, <c>actors</c>, <c>objects</c>, <c>workers</c>, <c>nodes</c> or <c>placement_groups</c>.</param>
    /// <param name="conditions">Filters, all of which must match. Default: none.</param>
    /// <param name="limit">Maximum number of items, 1 to 10,000; the newest are returned. Default 100.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The items and their counts.</returns>
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

    /// <summary>Gets counts of tasks, actors and objects, and the resources.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The summary.</returns>
    public Task<ClusterSummary> GetSummaryAsync(CancellationToken cancellationToken = default) => ReadAsync<ClusterSummary>("summarize", cancellationToken);

    /// <summary>Gets the memory usage.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The memory usage of objects and processes.</returns>
    public Task<ClusterMemory> GetMemoryAsync(CancellationToken cancellationToken = default) => ReadAsync<ClusterMemory>("memory", cancellationToken);

    /// <summary>Writes the recorded task executions as a Chrome trace.</summary>
    /// <param name="output">The output stream, which is not closed.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>A task that completes when the trace has been written.</returns>
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

/// <summary>A filter of the state API.</summary>
/// <param name="Field">The field's name in the API, for instance <c>state</c>.</param>
/// <param name="Value">The value; case is ignored.</param>
/// <param name="IsEqual">Whether the field must have the value or must not have it. Default true.</param>
public sealed record StateFilterCondition(string Field, string Value, bool IsEqual = true);
