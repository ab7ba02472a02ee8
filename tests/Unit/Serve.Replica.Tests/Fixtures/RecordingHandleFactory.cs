using System.Collections.Concurrent;
using Serve.Calls;

namespace Serve.Replica.Tests.Fixtures;

/// <summary>Creates call targets that return 42 and record the requested deployments.</summary>
public sealed class RecordingHandleFactory : IHandleFactory
{
    public ConcurrentQueue<string> Calls { get; } = new();

    public ConcurrentQueue<CallContext> Contexts { get; } = new();

    public ICallTarget GetTarget(string deployment, string? application = null) => new Target(this, $"{application}/{deployment}");

    private sealed class Target(RecordingHandleFactory owner, string name) : ICallTarget
    {
        public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
        {
            owner.Calls.Enqueue($"{name}.{call.Method}");
            owner.Contexts.Enqueue(context);
            return new((TResult)(object)42);
        }

        public IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken) =>
            AsyncEnumerable.Empty<TItem>();
    }
}
