using Serve.Calls;
using Serve.Routes;
using Serve.Runtime;

namespace Serve.Controller.Tests;

internal sealed class FakeHandle(ActorId id, ProcessRoute process) : ActorHandle
{
    public override ActorId Id => id;

    public override ProcessRoute Process => process;

    public override ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public override IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
