using System.Text;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Serve.Runtime.Workers.Rpc;

/// <summary>Refuses every call that does not present this process's token. Holds no state.</summary>
internal sealed class TokenInterceptor(ProcessHttpServerOptions options) : Interceptor
{
    private readonly byte[] _expected = Encoding.UTF8.GetBytes(options.Token);

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Require(context);
        return continuation(request, context);
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Require(context);
        return continuation(request, responseStream, context);
    }

    private void Require(ServerCallContext context)
    {
        if (!ProcessAccessToken.Matches(context.RequestHeaders.GetValue(ProcessAccessToken.MetadataKey), _expected))
            throw new RpcException(new Status(StatusCode.Unauthenticated, "The token is missing or wrong."));
    }
}
