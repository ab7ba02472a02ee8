using Serve.Calls;
using Serve.Nodes;

namespace Serve.Gateway.Tests;

/// <summary>A replica in another process, reachable by forwarded HTTP only.</summary>
internal sealed class ForwardedTestReplica(HostProcessAddress process) : ICallTarget
{
    public HostProcessAddress Process => process;

    public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public IAsyncEnumerable<TItem> StreamAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken) => throw new NotSupportedException();
}
