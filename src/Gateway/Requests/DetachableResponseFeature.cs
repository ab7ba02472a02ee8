using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Serve.Gateway.Requests;

/// <summary>
/// A response that can be detached from code that has not started to write it, so that the gateway can respond in time although a
/// replica ignores its cancellation token. The first of the writer and <see cref="TryDetach"/> wins.
/// </summary>
internal sealed class DetachableResponseFeature : IHttpResponseFeature, IHttpResponseBodyFeature
{
    private const int Untouched = 0;
    private const int Written = 1;
    private const int Detached = 2;

    private readonly IFeatureCollection _features;
    private readonly IHttpResponseFeature _head;
    private readonly IHttpResponseBodyFeature _body;
    private readonly HttpResponseFeature _discarded = new();
    private readonly StreamResponseBodyFeature _sink = new(Stream.Null);
    private int _state;

    private DetachableResponseFeature(IFeatureCollection features)
    {
        _features = features;
        _head = features.GetRequiredFeature<IHttpResponseFeature>();
        _body = features.GetRequiredFeature<IHttpResponseBodyFeature>();
    }

    int IHttpResponseFeature.StatusCode
    {
        get => Head.StatusCode;
        set => Head.StatusCode = value;
    }

    string? IHttpResponseFeature.ReasonPhrase
    {
        get => Head.ReasonPhrase;
        set => Head.ReasonPhrase = value;
    }

    IHeaderDictionary IHttpResponseFeature.Headers
    {
        get => Head.Headers;
        set => Head.Headers = value;
    }

    // Code that writes after it has lost the response sees an unstarted response that is discarded.
    bool IHttpResponseFeature.HasStarted => Head.HasStarted;

    [Obsolete("Use IHttpResponseBodyFeature.Stream instead.")]
    Stream IHttpResponseFeature.Body
    {
        get => Body.Stream;
        set => throw new NotSupportedException();
    }

    Stream IHttpResponseBodyFeature.Stream => Body.Stream;

    PipeWriter IHttpResponseBodyFeature.Writer => Body.Writer;

    private IHttpResponseFeature Head => Volatile.Read(ref _state) == Detached ? _discarded : _head;

    private IHttpResponseBodyFeature Body => Interlocked.CompareExchange(ref _state, Written, Untouched) == Detached ? _sink : _body;

    /// <summary>Inserts the feature between a request and its response.</summary>
    /// <param name="context">The request.</param>
    /// <returns>The response.</returns>
    public static DetachableResponseFeature Attach(HttpContext context)
    {
        var response = new DetachableResponseFeature(context.Features);
        context.Features.Set<IHttpResponseFeature>(response);
        context.Features.Set<IHttpResponseBodyFeature>(response);
        return response;
    }

    /// <summary>Detaches the response, unless it has started.</summary>
    /// <returns>A context for another response; null if the response has started.</returns>
    public HttpContext? TryDetach()
    {
        if (Interlocked.CompareExchange(ref _state, Detached, Untouched) != Untouched)
            return null;
        var own = new FeatureCollection();
        own.Set(_features.Get<IHttpRequestFeature>());
        own.Set(_head);
        own.Set(_body);
        return new DefaultHttpContext(own);
    }

    /// <summary>Restores the server's features.</summary>
    public void Restore()
    {
        _features.Set(_head);
        _features.Set(_body);
    }

    void IHttpResponseFeature.OnStarting(Func<object, Task> callback, object state) => Head.OnStarting(callback, state);

    void IHttpResponseFeature.OnCompleted(Func<object, Task> callback, object state) => _head.OnCompleted(callback, state);

    void IHttpResponseBodyFeature.DisableBuffering() => _body.DisableBuffering();

    Task IHttpResponseBodyFeature.StartAsync(CancellationToken cancellationToken) => Body.StartAsync(cancellationToken);

    Task IHttpResponseBodyFeature.SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken) =>
        Body.SendFileAsync(path, offset, count, cancellationToken);

    Task IHttpResponseBodyFeature.CompleteAsync() => Body.CompleteAsync();
}
