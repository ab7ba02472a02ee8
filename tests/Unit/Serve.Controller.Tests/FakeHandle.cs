using Serve.Calls;
using Serve.Routes;
using Serve.Runtime;

namespace Serve.Controller.Tests;

internal sealed class FakeHandle(ActorId id, HostProcessAddress process) : ActorReference
{
    public override ActorId Id => id;

    public override HostProcessAddress Process => process;

    public override ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public override IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
