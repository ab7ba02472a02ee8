using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Serve.Routes;
using Serve.Runtime.Workers.Http;

namespace Serve.Runtime.Workers.Rpc;

/// <summary>The server of a process that holds actors: forwarded requests by HTTP/1.1, calls by gRPC and forwarded conversations by HTTP/2, each on a loopback port of its own.</summary>
internal static class ProcessHttpServer
{
    private const int StreamWindow = 1 << 20;

    // Kestrel drops a connection on which too many streams are cancelled at once, with every call on it; how many grows with this.
    private const int MaxStreams = 1000;

    /// <summary>Adds the server to a host whose services hold the process's actors.</summary>
    public static IHostBuilder AddCallServer(this IHostBuilder builder, ProcessHttpServerOptions options) => builder.ConfigureWebHost(
        web => web
            .UseKestrelCore()
            .ConfigureServices(services =>
            {
                services.AddSingleton(options);
                services.AddRouting();
                services.AddGrpc(grpc =>
                {
                    grpc.MaxReceiveMessageSize = null;
                    grpc.MaxSendMessageSize = null;
                    grpc.Interceptors.Add<TokenInterceptor>();
                });
                services.AddSingleton<TokenInterceptor>();
                services.AddSingleton<CallService>();
                services.AddSingleton<ControlService>();
                services.AddSingleton<ActorHttpDispatcher>();
                services.Configure<KestrelServerOptions>(Listen);
            })
            .Configure(app => Map(app, options)),
        web => web.SuppressEnvironmentConfiguration = true);

    /// <summary>The addresses of a server that has started.</summary>
    public static (string Http, string Call) AddressesOf(IServiceProvider services)
    {
        var addresses = services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return (addresses.First(), addresses.Last());
    }

    private static void Listen(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;

        // The gateway has counted and timed the body already, and decides which connections are kept.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromDays(1);
        kestrel.Limits.Http2.MaxStreamsPerConnection = MaxStreams;
        kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindow;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * StreamWindow;
        kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
    }

    private static void Map(IApplicationBuilder app, ProcessHttpServerOptions options)
    {
        // Before routing, so that no path of a user's can ever meet an endpoint of ours.
        var dispatch = app.ApplicationServices.GetRequiredService<ActorHttpDispatcher>();
        app.Use(next => context => IsCall(context.Request) ? next(context) : dispatch.HandleAsync(context));
        app.UseRouting();
        app.UseEndpoints(endpoints =>
        {
            endpoints.MapGrpcService<CallService>();
            if (options.TakesControl)
                endpoints.MapGrpcService<ControlService>();
        });
    }
    // A gateway forwards by HTTP/2 too, where both sides speak at once or the answer ends with trailers; it names the actor then.
    private static bool IsCall(HttpRequest request) =>
        HttpProtocol.IsHttp2(request.Protocol) && !request.Headers.ContainsKey(WireHeaderNames.Actor);
}
