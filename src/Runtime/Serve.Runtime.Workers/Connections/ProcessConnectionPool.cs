using System.Collections.Concurrent;

namespace Serve.Runtime.Workers.Connections;

/// <summary>
/// The connections of this process to the processes that it calls: one for each address and token, opened by the first call and replaced when it has ended.
/// </summary>
internal sealed class ProcessConnectionPool : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<(string Address, string Token), Task<ProcessConnection>> _connections = new();

    /// <exception cref="ConnectionLostException">The process cannot be reached or rejected the token.</exception>
    public async Task<ProcessConnection> ConnectAsync(HostProcessAddress process, CancellationToken cancellationToken)
    {
        var key = (process.CallAddress!, process.Token ?? "");
        while (true)
        {
            var connecting = _connections.GetOrAdd(key, static key => OpenAsync(key.Address, key.Token));
            try
            {
                var connection = await connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
                if (!connection.IsClosed)
                    return connection;
            }
            catch (ConnectionLostException)
            {
                _connections.TryRemove(KeyValuePair.Create(key, connecting));
                throw;
            }

            _connections.TryRemove(KeyValuePair.Create(key, connecting));
        }
    }

    /// <summary>Closes the connection to a process that has exited; calls on it fail.</summary>
    public void Close(HostProcessAddress process)
    {
        if (process.CallAddress is { } address && _connections.TryRemove((address, process.Token ?? ""), out var connecting) && connecting.IsCompletedSuccessfully)
            connecting.Result.Dispose();
    }

    public void Dispose()
    {
        foreach (var connecting in _connections.Values)
        {
            if (connecting.IsCompletedSuccessfully)
                connecting.Result.Dispose();
        }
    }

    private static async Task<ProcessConnection> OpenAsync(string address, string token)
    {
        using var limit = new CancellationTokenSource(ConnectTimeout);
        try
        {
            return await ProcessConnection.ConnectAsync(address, token, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException thrown)
        {
            throw new ConnectionLostException(mayHaveStarted: false, $"The process did not accept the connection within {ConnectTimeout.TotalSeconds:0} s.", thrown);
        }
    }
}
