using Serve.Runtime;
using Serve.Runtime.TestWorker;

// "worker" is what a node under test starts; "node WORKERS" is a node that starts some and waits to be killed.
switch (args)
{
    case ["worker"]:
        await WorkerHost.RunAsync(TestServices.Add);
        break;
    case ["node", var workers]:
        await TestNode.RunAsync(int.Parse(workers, System.Globalization.CultureInfo.InvariantCulture));
        break;
    default:
        Console.Error.WriteLine("worker | node N");
        return 2;
}

return 0;
