using Serve.Calls;
using Serve.Http;

namespace Serve;

/// <summary>
/// Calls deployments of a node from another process. Thread-safe; a program needs only one client, which keeps its connections open.
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

    /// <summary>Gets the gateway's address.</summary>
    public Uri Address => _connection.Address;

    /// <summary>Connects to a node's gateway and checks its health.</summary>
    /// <param name="address">The gateway's base address. Default: a node on this machine with default ports.</param>
    /// <param name="options">Connection options. The defaults suit a node on this machine.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The client.</returns>
    /// <exception cref="NodeUnreachableException">There is no response, or the address is not a healthy gateway.</exception>
    /// <exception cref="AccessDeniedException">The node requires a token, which is missing or wrong.</exception>
    /// <exception cref="ArgumentException">The address is invalid, or the token file cannot be read.</exception>
    public static async Task<ServeClient> ConnectAsync(
        string address = "http://127.0.0.1:8000", ServeClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new ServeClientOptions();
        var connection = NodeHttpConnection.Open(address, options, "Start a node with 'serve start', or run an application with 'serve run', and use its HTTP address.");
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

    /// <summary>Returns a handle that calls by method name. Each call looks the deployment up, so it may be deployed later.</summary>
    /// <param name="deployment">The deployment's name, or an application's name for its ingress.</param>
    /// <param name="application">The application; null if the name is unique on the node.</param>
    /// <returns>The handle.</returns>
    public DeploymentHandle GetHandle(string deployment, string? application = null)
    {
        var handle = new DeploymentHandle(GetTarget(deployment, application), deployment);
        return _options.Timeout is null ? handle : handle.Options(_options.Timeout);
    }

    /// <summary>Returns a handle that calls through the deployment's class, checked by the compiler.</summary>
    /// <typeparam name="TDeployment">The class. The deployment's name is the name in its attribute, or the class name.</typeparam>
    /// <param name="application">The application; null if the name is unique on the node.</param>
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

    /// <summary>Closes the connections. Running calls are aborted.</summary>
    /// <returns>A completed task.</returns>
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
                $"The server at {connection.Address.GetLeftPart(UriPartial.Authority)} did not respond within {limit.TotalSeconds:0.###} s.", neverStarted: true, e);
        }
        catch (Exception e) when (e is UnexpectedResponseException or NoSuchRouteException)
        {
            throw new NodeUnreachableException(
                $"The server at {connection.Address.GetLeftPart(UriPartial.Authority)} is not a healthy gateway: GET /-/healthz returned {((ServeException)e).StatusCode}. "
                + "Is this the HTTP address (8000 by default), not the admin one?",
                neverStarted: true,
                e);
        }
    }
}
