using Serve.Calls;
using Serve.Http;

namespace Serve;

/// <summary>
/// Calls deployments of a node from outside it. One client serves a whole program: it is thread-safe and keeps its connections.
/// </summary>
/// <example>
/// <code>
/// await using var serve = await ServeClient.ConnectAsync("http://127.0.0.1:8000");
/// var reply = await serve.GetHandle("Counter").Remote&lt;CountReply&gt;();
/// </code>
/// </example>
public sealed class ServeClient : IHandleFactory, IAsyncDisposable
{
    private readonly NodeHttpConnection _connection;
    private readonly ServeClientOptions _options;

    private ServeClient(NodeHttpConnection connection, ServeClientOptions options)
    {
        _connection = connection;
        _options = options;
    }

    /// <summary>The gateway's address.</summary>
    public Uri Address => _connection.Address;

    /// <summary>Connects to a node's gateway, and finds out whether there is one.</summary>
    /// <param name="address">The gateway's base address. Default: that of a node on this machine with default ports.</param>
    /// <param name="options">How to reach it. Default: as suits a node on this machine.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The client.</returns>
    /// <exception cref="NodeUnreachableException">Nothing answers there, or something that is no gateway does.</exception>
    /// <exception cref="AccessDeniedException">The node asks for a token, and it is missing or wrong.</exception>
    /// <exception cref="ArgumentException">The address or the token file cannot be read.</exception>
    public static async Task<ServeClient> ConnectAsync(
        string address = "http://127.0.0.1:8000", ServeClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new ServeClientOptions();
        var connection = NodeHttpConnection.Open(address, options, "Start a node with 'serve start', or 'serve run' something, and give its HTTP address.");
        try
        {
            await CheckAsync(connection, options.ConnectTimeout, cancellationToken).ConfigureAwait(false);
            return new ServeClient(connection, options);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A handle that calls by name. The deployment is looked up with each call, so it may come later.</summary>
    /// <param name="deployment">The deployment's name, or an application's name for its ingress.</param>
    /// <param name="application">Its application; null when the name is unique on the node.</param>
    /// <returns>The handle.</returns>
    public DeploymentHandle GetHandle(string deployment, string? application = null)
    {
        var handle = new DeploymentHandle(GetTarget(deployment, application), deployment);
        return _options.Timeout is null ? handle : handle.Options(_options.Timeout);
    }

    /// <summary>A handle that calls through the deployment's class, checked by the compiler.</summary>
    /// <typeparam name="TDeployment">The class; the deployment's name is what its attribute says, or the class's own.</typeparam>
    /// <param name="application">Its application; null when the name is unique on the node.</param>
    /// <returns>The handle.</returns>
    public DeploymentHandle<TDeployment> GetHandle<TDeployment>(string? application = null)
        where TDeployment : class
    {
        var name = DeploymentAttribute.NameOf(typeof(TDeployment));
        var handle = new DeploymentHandle<TDeployment>(GetTarget(name, application), name);
        return _options.Timeout is null ? handle : handle.Options(_options.Timeout);
    }

    /// <inheritdoc/>
    public ICallTarget GetTarget(string deployment, string? application = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(deployment);
        return new HttpCallTarget(_connection, deployment, application);
    }

    /// <summary>Closes the connections. Calls that are under way are cut off.</summary>
    /// <returns>Completes at once.</returns>
    public ValueTask DisposeAsync()
    {
        _connection.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task CheckAsync(NodeHttpConnection connection, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stop.CancelAfter(limit);
        using var request = new HttpRequestMessage(HttpMethod.Get, "-/healthz");
        try
        {
            using var response = await connection.SendAsync(request, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new NodeUnreachableException(
                $"Something listens at {connection.Address.GetLeftPart(UriPartial.Authority)}, but it did not answer within {limit.TotalSeconds:0.###} s.", neverStarted: true, e);
        }
        catch (Exception e) when (e is UnexpectedResponseException or NoSuchRouteException)
        {
            throw new NodeUnreachableException(
                $"Something answers at {connection.Address.GetLeftPart(UriPartial.Authority)}, but it is no gateway that is well: GET /-/healthz gave {((ServeException)e).StatusCode}. "
                + "Is this the HTTP address (8000 by default), not the admin one?",
                neverStarted: true,
                e);
        }
    }
}
