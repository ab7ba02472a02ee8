using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Serve.Replica;
using Serve.Http;

namespace Serve.Runtime.TestWorker;

/// <summary>Makes <see cref="TestActor"/>s; the payload selects the behaviour of the construction.</summary>
public sealed class TestActorActivator : IActorActivator
{
    public string Kind => "test";

    public async ValueTask<ActorInstance> ActivateAsync(ActorActivationContext context, CancellationToken cancellationToken)
    {
        switch (Encoding.UTF8.GetString(context.Spec.Payload.Span))
        {
            case "throw":
                throw new InvalidOperationException("the constructor has no luck");
            case "slow":
                await Task.Delay(Timeout.Infinite, cancellationToken);
                break;
            case "crash":
                Environment.FailFast("crashed in the constructor");
                break;
        }

        return new TestActorInstance(context, new TestActor(context, context.Services.GetRequiredService<TestTopicSubscriber>(), context.Services.GetRequiredService<IActorReferenceResolver>()));
    }

    private sealed class TestActorInstance(ActorActivationContext context, TestActor actor) : ActorInstance, IActorHttpHandler
    {
        private readonly TestHttpActor _http = new(context);

        public override object Target => actor;

        public override ActorMethodTable Methods { get; } = ActorMethodTable.For(typeof(TestActor));

        public override bool SeesRequests => true;

        public ValueTask<bool> TryHandleAsync(HttpContext context) => _http.TryHandleAsync(context);

        public override ValueTask CheckHealthAsync(CancellationToken cancellationToken) => actor.Sick
            ? throw new InvalidOperationException("not well")
            : ValueTask.CompletedTask;

        public override ValueTask ReconfigureAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
        {
            actor.Settings = Encoding.UTF8.GetString(payload.Span);
            return ValueTask.CompletedTask;
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>Services of a process under test, node or worker.</summary>
public static class TestWorkerServices
{
    public static void Add(IServiceCollection services)
    {
        services.AddActorHttpServer();
        services.AddSingleton<IActorActivator, TestActorActivator>();
        services.AddSingleton<TestTopicSubscriber>();
        services.AddSingleton<ITopicSubscriber>(provider => provider.GetRequiredService<TestTopicSubscriber>());
    }
}
