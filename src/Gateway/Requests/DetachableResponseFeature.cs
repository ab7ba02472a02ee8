using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Serve.Gateway.Requests;

/// <summary>
/// A response that can be taken away from code that has not begun to write it, so that a client is answered in time by a gateway whose
/// replica does not listen to its token. Whoever is first, the writer or <see cref="TryDetach"/>, has it.
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
        this._features = features;
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

    // A code that still writes after it has lost the response is to see a plain, unstarted one that leads nowhere.
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

    /// <summary>Puts it between a request and its response.</summary>
    /// <param name="context">The request.</param>
    /// <returns>The response.</returns>
    public static DetachableResponseFeature Attach(HttpContext context)
    {
        var response = new DetachableResponseFeature(context.Features);
        context.Features.Set<IHttpResponseFeature>(response);
        context.Features.Set<IHttpResponseBodyFeature>(response);
        return response;
    }

    /// <summary>Takes the response away from whoever has it, unless it has been begun.</summary>
    /// <returns>A context that answers in its place; null when it has been begun.</returns>
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

    /// <summary>Gives the server its own features back.</summary>
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
