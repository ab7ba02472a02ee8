using Serve.Calls;
using Serve.Nodes;
using Serve.Runtime;

namespace Serve.Gateway.Tests;

/// <summary>A replica in another process, reachable by forwarded HTTP only.</summary>
internal sealed class ForwardedTestReplica(string id, HostProcessAddress process) : ActorReference
{
    public override ActorId Id => new(id);

    public override HostProcessAddress Process => process;

    public override ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public override IAsyncEnumerable<TItem> StreamAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken) => throw new NotSupportedException();
}
